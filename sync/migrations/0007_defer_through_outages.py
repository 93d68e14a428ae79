from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0006_count_googles_operations'),
    ]

    operations = [
        migrations.AlterField(
            model_name='syncrun',
            name='defer_reason',
            field=models.CharField(blank=True, choices=[('budget', 'Budget'), ('retry', 'Retry'), ('report', 'Report'), ('gave_way', 'Gave Way'), ('outage', 'Outage')], max_length=10),
        ),
    ]
