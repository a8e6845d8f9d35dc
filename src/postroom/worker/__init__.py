"""What happens without anybody asking: deliveries carried out, the clock, proofs, probes. A door like the others."""
