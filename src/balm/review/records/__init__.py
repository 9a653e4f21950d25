"""Reading and writing bibliographic records: one file a format, a table of readers and one of writers, a receipt."""
