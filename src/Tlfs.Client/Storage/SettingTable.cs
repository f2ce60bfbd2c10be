namespace Tlfs.Client.Storage;

/// <summary>What the user decided for this replica, where it is not what it is at first.</summary>
internal sealed class SettingTable(ReplicaDatabase database)
{
    private const string Delivery = "delivery";
    private const string Off = "off";

    /// <summary>Whether the devices of a document may see up to where this one has fetched it; true unless it was switched off.</summary>
    public bool ShowsDelivery
    {
        get => database.Single("SELECT value FROM setting WHERE name = $1", reader => reader.GetString(0), Delivery) is not Off;
        set => database.Execute("INSERT OR REPLACE INTO setting(name, value) VALUES($1, $2)", Delivery, value ? "on" : Off);
    }
}
