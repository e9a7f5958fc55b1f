"""Commands that check an experiment, a plug-in, data or the machine, and that look names up."""
