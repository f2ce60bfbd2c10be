using System.CommandLine;
using Tlfs.Cli.Running;
using Tlfs.Core;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs doc create|list|show|log|verify|delete|leave</c>; those that edit are in <see cref="EditCommands"/>, the others in <see cref="WatchCommand"/>, <see cref="VoidCommands"/> and <see cref="DeleteCommand"/>.</summary>
internal static class DocCommands
{
    /// <summary>The group.</summary>
    public static Command All()
    {
        var group = new Command("doc", "Make, show and edit documents.") { Create(), List(), Show() };
        foreach (var edit in EditCommands.All()) group.Add(edit);
        foreach (var inspect in new[] { WatchCommand.Watch(), Log(), Verify(), VoidCommands.Export(), VoidCommands.Withdraw(), Snapshot(), DeleteCommand.Delete(), Leave() }) group.Add(inspect);
        return group;
    }

    private static Verb Create()
    {
        var schema = new Argument<string>("SCHEMA") { Description = "The name of a schema that was added." };
        return new("create", "Make a new document; only you have access.", ["tlfs doc create todoapp"], async call =>
        {
            var replica = await call.OpenAsync();
            var document = await replica.CreateAsync(call.Get(schema), call.CancellationToken);
            call.Print.Result(
                json =>
                {
                    json.WriteString("doc", document.Id.ToString());
                    json.WriteString("schema", document.Schema);
                    json.WriteString("version", document.Version);
                },
                document.Id.ToString());
            call.Print.Hint($"Next: tlfs doc show {Text.Short(document.Id.ToString())}");
        })
        { schema };
    }

    private static Verb List() => new("list", "List the documents of this replica.", ["tlfs doc list"], async call =>
    {
        var replica = await call.OpenAsync();
        call.Print.Table(
            await replica.DocumentsAsync(call.CancellationToken),
            (json, each) =>
            {
                json.WriteString("doc", each.Id.ToString());
                json.WriteString("schema", each.Schema);
                json.WriteString("version", each.Version);
                json.WriteNumber("entries", each.EntryCount);
                json.WriteNumber("unsent", each.Unsent);
                Members.Head(json, each.Head);
            },
            ["DOC", "SCHEMA", "VERSION", "ENTRIES", "UNSENT"],
            each => [each.Id.ToString(), each.Schema ?? "(no key yet)", each.Version ?? "", Text.Number(each.EntryCount), Text.Number(each.Unsent)],
            "No documents yet. Make one with: tlfs doc create SCHEMA; or see who invited you with: tlfs invites");
    });

    private static Verb Show()
    {
        var doc = Arguments.Document();
        var path = Arguments.OptionalPath();
        var all = new Option<bool>("--all-values") { Description = "Show each register as an array of all its concurrent values." };
        string[] examples = ["tlfs doc show doc_…", "tlfs doc show doc_… .tasks[0].title", "tlfs doc show doc_… --all-values"];
        return new("show", "Print a document, or a part of it, as JSON.", examples, async call =>
        {
            var document = await call.DocumentAsync(call.Get(doc));
            var json = document.ToJson(call.Get(path, Arguments.Root), call.Get(all));
            call.Print.Raw(call.Print.IsTerminal ? Printer.Indented(json) : json);
        })
        { doc, path, all };
    }

    private static Verb Log()
    {
        var doc = Arguments.Document();
        return new("log", "List the envelopes of a document and what became of each.", ["tlfs doc log doc_…"], async call =>
        {
            var document = await call.DocumentAsync(call.Get(doc));
            call.Print.Table(
                document.Log,
                (json, each) =>
                {
                    json.WriteString("envelope", each.Envelope.ToString());
                    json.WriteString("author", each.Author.ToString());
                    json.WriteNumber("seq", each.Seq);
                    json.WriteString("type", Text.Kind(each.Type));
                    json.WriteString("status", Text.Status(each.Status));
                    json.WriteString("reason", each.Reason?.ToKebab());
                    json.WriteStartArray("receipts");
                    foreach (var server in each.Receipts) json.WriteStringValue(server);
                    json.WriteEndArray();
                },
                ["ENVELOPE", "AUTHOR", "SEQ", "TYPE", "STATUS", "RECEIPTS"],
                each =>
                [
                    Text.Short(each.Envelope.ToString()), Text.Short(each.Author.ToString()), Text.Number((long)each.Seq), Text.Kind(each.Type),
                    each.Reason is { } reason ? $"{Text.Status(each.Status)} [{reason.ToKebab()}]" : Text.Status(each.Status), Text.Number(each.Receipts.Count),
                ],
                "Nothing of this document is here yet; get it with: tlfs sync");
        })
        { doc };
    }

    private static Verb Verify()
    {
        var doc = Arguments.Document();
        var online = new Option<bool>("--online") { Description = "Ask the servers for their heads now, and for proof that their logs only grew." };
        return new("verify", "Check every signature, chain, receipt and log proof of a document again.", ["tlfs doc verify doc_…", "tlfs doc verify doc_… --online"], async call =>
        {
            var document = await call.DocumentAsync(call.Get(doc));
            var report = document.Verify();
            if (call.Get(online)) report = report with { Problems = [.. report.Problems, .. await (await call.OpenAsync()).VerifyHeadsAsync(document.Id, call.CancellationToken)] };
            call.Print.Result(
                json =>
                {
                    json.WriteNumber("envelopes", report.Envelopes);
                    json.WriteStartArray("problems");
                    foreach (var problem in report.Problems) json.WriteStringValue(problem);
                    json.WriteEndArray();
                    Members.Evidence(json, report.Evidence);
                },
                string.Join('\n', [
                    $"{report.Envelopes} envelopes checked, {report.Problems.Count} problems", .. report.Problems.Select(Failure.OneLine), .. report.Evidence.Select(Text.Evidence),
                ]));
            if (report.Problems.Count > 0) throw new TlfsException(Reason.Malformed, "the copy of this document kept here is damaged or was tampered with");
        })
        { doc, online };
    }

    private static Verb Snapshot()
    {
        var doc = Arguments.Document();
        return new("snapshot", "Write what a document holds now, so that new devices begin with it.", ["tlfs doc snapshot doc_…"], async call =>
        {
            var document = await call.DocumentAsync(call.Get(doc));
            var envelopes = await document.SnapshotAsync(call.CancellationToken);
            call.Print.Result(
                json =>
                {
                    json.WriteString("doc", document.Id.ToString());
                    json.WriteNumber("envelopes", envelopes);
                },
                $"{envelopes} {(envelopes == 1 ? "envelope" : "envelopes")}");
        })
        { doc };
    }

    private static Verb Leave()
    {
        var doc = Arguments.Document();
        return new("leave", "Give up your own access to a document and remove it here.", ["tlfs doc leave doc_…"], async call =>
        {
            var replica = await call.OpenAsync();
            var id = await call.IdOfAsync(replica, call.Get(doc));
            await replica.LeaveAsync(id, call.CancellationToken);
            call.Print.Result(json => json.WriteString("doc", id.ToString()), $"You left {id}, and its cloudpeers know.");
        })
        { doc };
    }
}
