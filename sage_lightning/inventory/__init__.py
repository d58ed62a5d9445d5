"""What a collection holds, and what it lacks: from its files, or from query records alone. Knows no torch."""
