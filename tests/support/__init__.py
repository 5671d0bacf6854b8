"""What the tests of all parts share: real servers, a database for each test, certificates."""
