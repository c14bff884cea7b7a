"""What is committed from here on is followed, also before the first worker runs."""

from django.db import migrations

_START = "INSERT INTO outbox_cursor (name, xid) VALUES ('timeline', pg_current_xact_id()::text::bigint) ON CONFLICT DO NOTHING"


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]
    operations = [migrations.RunSQL(_START, "DELETE FROM outbox_cursor WHERE name = 'timeline'")]
