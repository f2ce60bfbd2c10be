using System.Text.Json;
using CloudPeer.Sync.Client;
using CloudPeer.Sync.Relay;
using Tlfs.Cli.Running;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Sealing;

namespace Tlfs.Cli.Commands;

/// <summary>Members that the JSON lines of several commands have.</summary>
internal static class Members
{
    /// <summary>The log of a server: equal heads mean equal logs.</summary>
    public static void Head(Utf8JsonWriter json, LogHead? head)
    {
        if (head is null)
        {
            json.WriteNull("head");
            return;
        }

        json.WriteStartObject("head");
        json.WriteNumber("size", head.Size);
        json.WriteString("root", Convert.ToHexStringLower(head.Root.ToArray()));
        json.WriteEndObject();
    }

    /// <summary>A list of ids.</summary>
    public static void Names<T>(Utf8JsonWriter json, string member, IReadOnlyList<T> ids)
        where T : struct
    {
        json.WriteStartArray(member);
        foreach (var id in ids) json.WriteStringValue(id.ToString());
        json.WriteEndArray();
    }

    /// <summary>What a server did not take.</summary>
    public static void Refused(Utf8JsonWriter json, IReadOnlyList<RefusedEnvelope> refused)
    {
        json.WriteStartArray("refused");
        foreach (var each in refused)
        {
            json.WriteStartObject();
            json.WriteString("envelope", each.Envelope.ToString());
            json.WriteString("reason", each.Reason.ToKebab());
            json.WriteString("message", each.Message);
            if (each.Quota is { } quota)
            {
                json.WriteString("resource", quota.Resource.ToText());
                json.WriteNumber("limit", quota.Limit);
                json.WriteNumber("used", quota.Used);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>What fills an account's storage at a server, the largest documents first.</summary>
    public static void Largest(Utf8JsonWriter json, IReadOnlyList<StoredDocument> largest)
    {
        json.WriteStartArray("largest");
        foreach (var each in largest)
        {
            json.WriteStartObject();
            json.WriteString("doc", each.Document.ToString());
            json.WriteNumber("stored", each.StoredBytes);
            json.WriteNumber("envelopes", each.Envelopes);
            json.WriteString("app", each.App.Length > 0 ? each.App : null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>What a server lost by a restore.</summary>
    public static void Restored(Utf8JsonWriter json, RestoredLog? restored)
    {
        if (restored is null)
        {
            json.WriteNull("restored");
            return;
        }

        json.WriteStartObject("restored");
        json.WriteNumber("generation", restored.Generation);
        json.WriteNumber("size", restored.Size);
        json.WriteNumber("lost", restored.Lost);
        json.WriteString("at", Text.Time(restored.Began));
        json.WriteEndObject();
    }

    /// <summary>What servers signed and did not keep to.</summary>
    public static void Evidence(Utf8JsonWriter json, IReadOnlyList<ServerEvidence> evidence)
    {
        json.WriteStartArray("evidence");
        foreach (var each in evidence)
        {
            json.WriteStartObject();
            json.WriteString("server", each.Url);
            json.WriteString("kind", each.Kind);
            json.WriteString("message", each.Message);
            json.WriteBoolean("proves", each.Proves);
            json.WriteString("at", Text.Time(each.At));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Up to where devices have fetched a document.</summary>
    public static void Delivered(Utf8JsonWriter json, IReadOnlyList<DeviceDelivery> delivered)
    {
        json.WriteStartArray("delivered");
        foreach (var each in delivered)
        {
            json.WriteStartObject();
            json.WriteString("peer", each.Device.ToString());
            json.WriteNumber("size", each.Size);
            json.WriteNumber("of", each.Of);
            json.WriteString("at", Text.Time(each.At));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>A number that may not be known.</summary>
    public static void Optional(Utf8JsonWriter json, string name, ulong? number)
    {
        if (number is { } known) json.WriteNumber(name, known);
        else json.WriteNull(name);
    }
}
