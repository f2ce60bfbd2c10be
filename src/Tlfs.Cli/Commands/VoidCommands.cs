using System.CommandLine;
using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Documents;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs doc export-voided|withdraw</c>.</summary>
internal static class VoidCommands
{
    /// <summary><c>doc export-voided</c>.</summary>
    public static Verb Export()
    {
        var doc = Arguments.Document();
        return new("export-voided", "Print what was edited in a document and does not count, with the operations.", ["tlfs doc export-voided doc_…"], async call =>
        {
            var edits = (await call.DocumentAsync(call.Get(doc))).ExportVoided();
            foreach (var edit in edits) call.Print.Result(json => Members(json, edit), Lines(edit));
            if (edits.Count == 0) call.Print.Hint("Everything that was edited in this document counts, as far as this replica knows.");
        })
        { doc };
    }

    /// <summary><c>doc withdraw</c>.</summary>
    public static Verb Withdraw()
    {
        var doc = Arguments.Document();
        var reapply = new Option<bool>("--reapply") { Description = "Then write what was withdrawn again, as new changes." };
        const string description = "Take back your own changes that no server has and every server refused, or that a restored replica cannot continue.";
        return new("withdraw", description, ["tlfs doc withdraw doc_…", "tlfs doc withdraw doc_… --reapply"], async call =>
        {
            var document = await call.DocumentAsync(call.Get(doc));
            await WithdrawAsync(call, document, call.Get(reapply));
            if (call.Get(reapply)) await ReapplyAsync(call, document);
            else call.Print.Hint($"They are kept: see them with doc export-voided, write them again with: tlfs doc withdraw {Text.Short(document.Id.ToString())} --reapply");
        })
        { doc, reapply };
    }

    private static async Task WithdrawAsync(Invocation call, LocalDocument document, bool reapply)
    {
        try
        {
            var withdrawn = await document.WithdrawAsync(call.CancellationToken);
            call.Print.Result(
                json =>
                {
                    json.WriteNumber("withdrawn", withdrawn.Deltas);
                    json.WriteNumber("statements", withdrawn.Statements);
                },
                $"{withdrawn.Deltas} changes withdrawn" + (withdrawn.Statements == 0 ? "." : $", and {withdrawn.Statements} grants, revocations or keys, which are not kept."));
        }
        catch (TlfsException e) when (e.Reason is Reason.NothingToDo && reapply && document.ExportVoided().Any(edit => edit.Withdrawn))
        {
            // They were withdrawn before.
        }
    }

    private static async Task ReapplyAsync(Invocation call, LocalDocument document)
    {
        var written = await document.ReapplyAsync(call.CancellationToken);
        call.Print.Result(json => json.WriteNumber("reapplied", written), $"{written} changes written again.");
    }

    private static void Members(Utf8JsonWriter json, VoidedEdit edit)
    {
        json.WriteString("envelope", edit.Envelope.ToString());
        json.WriteString("author", edit.Author.ToString());
        json.WriteNumber("seq", edit.Seq);
        json.WriteString("reason", edit.Reason.ToKebab());
        json.WriteString("why", edit.Why);
        json.WriteBoolean("withdrawn", edit.Withdrawn);
        json.WriteString("closed", edit.Closed?.ToKebab());
        if (edit.Operations is null)
        {
            json.WriteNull("operations");
            return;
        }

        json.WriteStartArray("operations");
        foreach (var operation in edit.Operations)
        {
            json.WriteStartObject();
            json.WriteString("op", Word(operation.Kind));
            json.WriteString("path", operation.Path);
            if (operation.Value is { } value)
            {
                json.WritePropertyName("value");
                json.WriteRawValue(value);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Lines(VoidedEdit edit)
    {
        var head = $"{edit.Envelope} by {edit.Author}: {(edit.Withdrawn ? "withdrawn" : "void")} [{edit.Reason.ToKebab()}] {edit.Why}";
        var body = edit.Operations?.Select(operation => $"{Word(operation.Kind)} {operation.Path} {operation.Value}") ?? [$"cannot be opened here [{edit.Closed?.ToKebab()}]"];
        return string.Join('\n', [Failure.OneLine(head), .. body.Select(line => "  " + Failure.OneLine(line))]);
    }

    private static string Word(VoidedKind kind) => kind switch
    {
        VoidedKind.Schema => "schema",
        VoidedKind.Put => "put",
        VoidedKind.Remove => "remove",
        VoidedKind.Place => "place",
    };
}
