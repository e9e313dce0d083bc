"""Why a list has an item: contributions of a history, and what items share."""
