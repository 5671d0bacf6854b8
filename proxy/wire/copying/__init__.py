"""The formats of COPY: text, csv and binary, as PostgreSQL reads and writes them.  Rows in, fields out."""
