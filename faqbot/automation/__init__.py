"""The company's routine jobs: rules from `automations.yaml`, what starts them, what they do."""
