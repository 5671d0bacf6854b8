"""How each file of a policy folder is read: strictly, with file, line and key in every complaint."""
