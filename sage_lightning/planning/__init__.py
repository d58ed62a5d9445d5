"""What a run would need, before it is begun: parameters, arithmetic, memory, hours, bytes between ranks."""
