"""Dead letters have a page of their own. A name only: no table is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sync", "0021_find_missed_holds_by_join")]

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("sync.syncrun",),
        )
    ]
