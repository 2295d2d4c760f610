"""Statistics, reports, evaluation and suggestions from what was asked."""
