"""The one sequence that case numbers come from: no shared counter row that two cases would wait for."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE cases_number AS bigint START 1 CACHE 1", reverse_sql="DROP SEQUENCE cases_number"
        )
    ]
