"""Change one entry of the knowledge: propose, try, save, record, restore."""
