"""The checks of the audit: small functions of a `bench.audit.setup.Setup` to a `Finding`, by what they examine."""
