"""`faqbot doctor`: diagnostics of settings, network, store and permissions."""
