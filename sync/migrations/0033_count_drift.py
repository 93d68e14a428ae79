"""What the platforms send that this version does not know."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("sync", "0032_keep_complete_days")]

    operations = [
        migrations.CreateModel(
            name='Drift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(choices=[('meta', 'Meta'), ('google', 'Google Ads')], max_length=10)),
                ('kind', models.CharField(choices=[('word', 'Word'), ('key', 'Key'), ('missing', 'Missing'), ('field', 'Field'), ('version', 'Version')], max_length=10)),
                ('place', models.CharField(help_text='Where it stood: what was read, and the path in a row.', max_length=80)),
                ('value', models.CharField(max_length=80)),
                ('count', models.PositiveBigIntegerField()),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'drift',
                'ordering': ['-last_seen_at'],
                'constraints': [models.UniqueConstraint(fields=('provider', 'kind', 'place', 'value'), name='one_row_per_drift')],
            },
        ),
    ]
