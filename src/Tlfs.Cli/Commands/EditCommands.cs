using System.Text.Json;
using Tlfs.Cli.Running;
using Tlfs.Core;
using Tlfs.Core.Crdt;

namespace Tlfs.Cli.Commands;

/// <summary><c>tlfs doc set|insert|move|remove|edit</c>: each is one transaction.</summary>
internal static class EditCommands
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Verb> All() => [Set(), Insert(), Move(), Remove(), Edit()];

    private static Verb Set()
    {
        var doc = Arguments.Document();
        var path = Arguments.Path();
        var value = Arguments.Value();
        string[] examples = ["tlfs doc set doc_… .title '\"Shopping\"'", "tlfs doc set doc_… '.people[\"Ann B.\"].age' 42", "tlfs doc set doc_… .tasks - < tasks.json"];
        return new("set", "Assign a register, switch a flag, or replace all that is below a path.", examples, async call =>
        {
            var json = await ValueAsync(call, call.Get(value));
            await ApplyAsync(call, call.Get(doc), edit => edit.Set(call.Get(path), json));
        })
        { doc, path, value };
    }

    private static Verb Insert()
    {
        var doc = Arguments.Document();
        var path = Arguments.Path("The path of an array, such as .tasks");
        var index = Arguments.Index("INDEX", "Where it will stand: 0 is the front, the array's length the end.");
        var value = Arguments.Value();
        return new("insert", "Insert an element into an array.", ["tlfs doc insert doc_… .tasks 0 '{\"title\":\"milk\"}'"], async call =>
        {
            var json = await ValueAsync(call, call.Get(value));
            await ApplyAsync(call, call.Get(doc), edit => edit.Insert(call.Get(path), call.Get(index), json));
        })
        { doc, path, index, value };
    }

    private static Verb Move()
    {
        var doc = Arguments.Document();
        var path = Arguments.Path("The path of an array, such as .tasks");
        var from = Arguments.Index("FROM", "Where the element stands.");
        var to = Arguments.Index("TO", "Where it will stand.");
        return new("move", "Move an element of an array.", ["tlfs doc move doc_… .tasks 3 0"], call =>
            ApplyAsync(call, call.Get(doc), edit => edit.Move(call.Get(path), call.Get(from), call.Get(to))))
        { doc, path, from, to };
    }

    private static Verb Remove()
    {
        var doc = Arguments.Document();
        var path = Arguments.Path("What to remove: an element, a row of a table, or what a field holds.");
        return new("remove", "Remove an element, a row of a table, or what a field holds.", ["tlfs doc remove doc_… .tasks[2]"], call =>
            ApplyAsync(call, call.Get(doc), edit => edit.Remove(call.Get(path))))
        { doc, path };
    }

    private static Verb Edit()
    {
        var doc = Arguments.Document();
        string[] examples = ["tlfs doc edit doc_… < edits.jsonl", "echo '{\"op\":\"insert\",\"path\":\".tasks\",\"index\":0,\"value\":{\"title\":\"milk\"}}' | tlfs doc edit doc_…"];
        const string description = "Read edits from standard input, a JSON object per line, and apply them as one transaction: all or nothing. "
            + "An object has op (set, insert, move or remove), path, and what the op takes: value, index, from, to.";
        return new("edit", description, examples, async call =>
        {
            var lines = await EditLines.ReadAsync(call.Streams.Input, call.CancellationToken);
            await ApplyAsync(call, call.Get(doc), lines.ApplyTo);
        })
        { doc };
    }

    private static async Task<JsonElement> ValueAsync(Invocation call, string text)
    {
        if (text is "-") return Json.Parse(await call.Streams.Input.ReadToEndAsync(call.CancellationToken));
        try
        {
            return Json.Parse(text);
        }
        catch (TlfsException e) when (e.Reason is Reason.BadArgument)
        {
            throw new TlfsException(Reason.BadArgument, $"{e.Message}; text stands in quotes, in a shell as '\"text\"'", e);
        }
    }

    private static async Task ApplyAsync(Invocation call, string doc, Action<Transaction> edit)
    {
        var document = await call.DocumentAsync(doc);
        var result = await document.EditAsync(edit, call.CancellationToken);
        call.Print.Result(
            json =>
            {
                json.WriteString("envelope", result.Envelope.ToString());
                json.WriteNumber("ops", result.Operations);
            },
            $"{result.Envelope}  {result.Operations} {(result.Operations == 1 ? "operation" : "operations")}");
    }
}
