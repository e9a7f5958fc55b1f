"""Words and facts that every room uses: errors, files, protocols, specs, records, the machine."""
