"""Tables, migrations, partitions by time, retention, revisions."""
