"""What holds, stops or marks a change, one rule a file. A policy looks at the plan, whichever kind made it."""
