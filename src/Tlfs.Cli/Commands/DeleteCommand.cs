using System.CommandLine;
using Tlfs.Cli.Running;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs doc delete</c>.</summary>
internal static class DeleteCommand
{
    /// <summary>The command.</summary>
    public static Verb Delete()
    {
        var doc = Arguments.Document();
        var everywhere = new Option<bool>("--everywhere") { Description = "Also delete it on the cloudpeers that this account hosts it on, which makes room there." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        string[] examples = ["tlfs doc delete doc_… --yes", "tlfs doc delete doc_… --everywhere"];
        return new("delete", "Remove a document from this replica; others keep theirs.", examples, async call =>
        {
            var replica = await call.OpenAsync();
            var id = await call.IdOfAsync(replica, call.Get(doc));
            if (call.Get(everywhere)) await EverywhereAsync(call, replica, id, call.Get(yes));
            else await HereAsync(call, replica, id, call.Get(yes));
        })
        { doc, everywhere, yes };
    }

    private static async Task HereAsync(Invocation call, LocalFirst replica, DocId id, bool yes)
    {
        var document = await replica.OpenDocumentAsync(id, call.CancellationToken);
        Confirm(call, yes, "Remove the document from this replica?", document.Unsent);
        var freed = await replica.RemoveAsync(id, call.CancellationToken);
        call.Print.Result(
            json =>
            {
                json.WriteString("doc", id.ToString());
                json.WriteNumber("freed", freed);
            },
            $"{id} is removed here ({Text.Bytes((ulong)freed)}).");
    }

    private static async Task EverywhereAsync(Invocation call, LocalFirst replica, DocId id, bool yes)
    {
        var here = (await replica.DocumentsAsync(call.CancellationToken)).FirstOrDefault(document => document.Id == id);
        Confirm(call, yes, "Delete the document here and on the cloudpeers that you host it on, for everybody who gets it from there?", here?.Unsent ?? 0);
        var deleted = await replica.DeleteEverywhereAsync(id, call.CancellationToken);
        var freed = deleted.Servers.Count == 0 ? (ulong)deleted.LocalBytes : deleted.Servers.Values.Aggregate(0UL, (sum, bytes) => sum + bytes);
        call.Print.Result(
            json =>
            {
                json.WriteString("doc", id.ToString());
                json.WriteNumber("freed", freed);
                json.WriteNumber("local", deleted.LocalBytes);
                json.WriteStartArray("servers");
                foreach (var (url, bytes) in deleted.Servers)
                {
                    json.WriteStartObject();
                    json.WriteString("url", url);
                    json.WriteNumber("freed", bytes);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            },
            deleted.Servers.Count == 0
                ? $"{id} is removed here ({Text.Bytes((ulong)deleted.LocalBytes)}); no cloudpeer hosted it for you."
                : $"{id} is deleted here and on {string.Join(", ", deleted.Servers.Keys)} ({Text.Bytes(freed)} are free there).");
    }

    private static void Confirm(Invocation call, bool yes, string question, int unsent)
    {
        if (yes) return;
        if (!call.Streams.InputIsTerminal) throw new TlfsException(Reason.BadArgument, "deleting asks first, and nobody is there to answer; add --yes");
        var warning = unsent > 0 ? $" {unsent} of its changes were never sent and would be lost." : "";
        call.Print.Error.Write($"{question}{warning} [y/N] ");
        if (call.Streams.Input.ReadLine()?.Trim() is not ("y" or "Y" or "yes")) throw new TlfsException(Reason.BadArgument, "nothing was deleted");
    }
}
