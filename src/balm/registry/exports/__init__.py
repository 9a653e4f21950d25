"""A registry in the formats of others: FHIR R4B, OMOP, REDCap. Files by name; nothing here touches a disk."""
