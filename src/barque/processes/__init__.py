"""What runs: instances, scaling, health, supervision."""
