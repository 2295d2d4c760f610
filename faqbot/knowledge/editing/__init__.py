"""Edit the entries of the knowledge: propose, preview, save, audit, restore."""
