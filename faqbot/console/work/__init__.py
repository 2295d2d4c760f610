"""The list of open tasks (今天), and the pages on which they are done."""
