"""What disturbs a measurement: heat, the hypervisor, other processes."""
