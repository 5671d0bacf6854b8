"""What a reader of the database learns of each field, by how it is stored."""
