using System.Text.Json;
using Tlfs.Core;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;

namespace Tlfs.Client;

/// <summary>An edit under way: where cursors write to, and where they read what the edit has made of the document so far.</summary>
internal sealed class EditSession(Transaction transaction, Document document)
{
    /// <summary>The operations.</summary>
    public Transaction Transaction => transaction;

    /// <summary>Grows with every edit that may change how many elements an array has.</summary>
    public int Shape { get; set; }

    /// <summary>What stands at a path, or null for a row that does not exist.</summary>
    public JsonElement? Read(string path, bool allValues)
    {
        try
        {
            return JsonElement.Parse(document.ToJson(path, allValues));
        }
        catch (TlfsException e) when (e.Reason == Reason.NotPresent)
        {
            return null;
        }
    }
}
