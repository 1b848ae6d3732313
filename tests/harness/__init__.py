"""What tests stand on: real servers, started once per run, and a fresh database for each test."""
