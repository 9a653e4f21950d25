"""``python -m balm.web verify_events``: walk every chain of the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from balm.store.events.chain import broken_links, chains
from balm.store.events.models import ChainHead


class Command(BaseCommand):
    """Walks every chain; exit status 1 and a line for each fault when one does not hold."""

    help = "Walk every chain of the audit trail and say whether each event stands as it was written."
    requires_system_checks = ()  # `check` looks at every page; this command opens none

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the anchor (last number and hash) of each chain, or its faults."""
        faults = 0
        for chain in chains():
            wrong = list(broken_links(chain))
            faults += len(wrong)
            for line in wrong:
                self.stderr.write(line)
            if not wrong:
                head = ChainHead.objects.get(chain=chain)
                self.stdout.write(f"{chain}: {head.seq} events, anchor {head.hash}")
        if faults:
            raise CommandError(f"{faults} fault{'s' if faults > 1 else ''} in the audit trail")
