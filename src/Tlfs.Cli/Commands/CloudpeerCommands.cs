using System.CommandLine;
using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Client;
using Tlfs.Core.Ids;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs cloudpeer add|list|remove|move</c>.</summary>
internal static class CloudpeerCommands
{
    /// <summary>The group.</summary>
    public static Command All() => new("cloudpeer", "The servers that keep and forward this account's documents.") { Add(), List(), Remove(), MoveCommand.Move() };

    private static Verb Add()
    {
        var url = Arguments.Url();
        var app = new Option<string?>("--app") { Description = "The app that brought you (app_…).", HelpName = "APP" };
        var docs = new Option<string[]>("--doc")
        {
            Description = "Only this document; may be given several times. Without it: every document, present and future.",
            HelpName = "DOC",
            AllowMultipleArgumentsPerToken = true,
        };
        string[] examples = ["tlfs cloudpeer add https://cloud.example", "tlfs cloudpeer add http://localhost:5180 --doc doc_…"];
        return new("add", "Use a cloudpeer: pin its key, register there, and let it keep your documents.", examples, async call =>
        {
            var replica = await call.OpenAsync();
            var added = await replica.AddCloudpeerAsync(call.Get(url), call.Get(app), await DocumentsAsync(call, replica, call.Get(docs)), call.CancellationToken);
            Show(call.Print, [added]);
            if (added.Replaced is { } replaced) call.Print.Line($"{added.Url} replaces {replaced}: it is the same cloudpeer.");
            if (added.Entitlement?.SignUpUrl is { } signUp) call.Print.Hint($"It wants a subscription first: {Failure.OneLine(signUp)}");
            else call.Print.Hint("Next: tlfs sync");
        })
        { url, app, docs };
    }

    private static Verb List() => new("list", "List the cloudpeers this account uses.", ["tlfs cloudpeer list"], async call =>
        Show(call.Print, await (await call.OpenAsync()).CloudpeersAsync(call.CancellationToken)));

    private static Verb Remove()
    {
        var url = Arguments.Url();
        return new("remove", "Stop using a cloudpeer.", ["tlfs cloudpeer remove https://cloud.example"], async call =>
        {
            var replica = await call.OpenAsync();
            var before = (await replica.CloudpeersAsync(call.CancellationToken)).ToDictionary(each => each.Url, StringComparer.Ordinal);
            var untold = await replica.RemoveCloudpeerAsync(call.Get(url), call.CancellationToken);
            foreach (var kept in await replica.CloudpeersAsync(call.CancellationToken)) before.Remove(kept.Url);
            foreach (var removed in before.Values)
            {
                call.Print.Result(
                    json =>
                    {
                        ListMembers(json, removed);
                        Members.Names(json, "untold", untold);
                    },
                    $"{removed.Url} is not used any more.{(untold.Count == 0 ? "" : Untold(removed.Url, untold))}");
            }
        })
        { url };
    }

    private static string Untold(string url, IReadOnlyList<DocId> documents) =>
        $"\nIt could not be told, and goes on keeping {(documents.Count == 1 ? "a document" : $"{documents.Count} documents")} for you, which count as yours there. Once it can be reached, run: "
        + $"tlfs cloudpeer add {url} --doc {string.Join(' ', documents)}; then: tlfs cloudpeer remove {url}";

    private static async Task<IReadOnlyList<DocId>?> DocumentsAsync(Invocation call, LocalFirst replica, string[]? names)
    {
        if (names is null or []) return null;
        var documents = new List<DocId>(names.Length);
        foreach (var name in names) documents.Add(await call.IdOfAsync(replica, name));
        return documents;
    }

    private static void Show(Printer print, IReadOnlyList<CloudpeerState> cloudpeers) => print.Table(
        cloudpeers,
        ListMembers,
        ["URL", "PEER", "PLAN", "USED", "QUOTA"],
        each =>
        [
            each.Url, each.Server.ToString(), each.Entitlement?.Plan ?? "(not known yet)",
            each.Entitlement is { } known ? Text.Bytes(known.UsedBytes) : "", each.Entitlement is { } plan ? Text.Quota(plan.QuotaBytes) : "",
        ],
        "No cloudpeers yet. Add one with: tlfs cloudpeer add URL");

    private static void ListMembers(Utf8JsonWriter json, CloudpeerState each)
    {
        json.WriteString("url", each.Url);
        json.WriteString("peer", each.Server.ToString());
        json.WriteString("entitlement", each.Entitlement?.Plan);
        json.WriteString("signUp", each.Entitlement?.SignUpUrl);
        if (each.Replaced is { } replaced) json.WriteString("replaced", replaced);
        if (each.Entitlement is not { } entitlement) return;
        json.WriteNumber("used", entitlement.UsedBytes);
        json.WriteNumber("quota", entitlement.QuotaBytes);
    }
}
