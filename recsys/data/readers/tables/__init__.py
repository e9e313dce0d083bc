"""What is common to a user's own tables, whether they come as files or in memory."""
