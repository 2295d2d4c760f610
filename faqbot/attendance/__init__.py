"""The monthly attendance report and questions about punches."""
