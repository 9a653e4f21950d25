"""The pages of a clinic: today's infusions, a session at the bedside, follow-up, import, reports, people, trail."""
