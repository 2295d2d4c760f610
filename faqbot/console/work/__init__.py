"""The list of open tasks (今天), and the pages on which HR works them off."""
