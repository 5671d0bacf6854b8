"""One module per family of value types: wire text and binary forms to and from the form that is sealed."""
