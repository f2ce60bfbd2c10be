using System.Text.Json;
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
