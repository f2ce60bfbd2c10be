using System.Text.Json;
using Tlfs.Core;
using Tlfs.Core.Crdt;

namespace Tlfs.Cli.Commands;

/// <summary>The lines that <c>tlfs doc edit</c> reads: one edit each. What is wrong with a line is said with its number.</summary>
internal sealed class EditLines
{
    private readonly List<(int Number, Action<Transaction> Apply)> _edits = [];

    /// <summary>Reads all lines; empty ones count and say nothing.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/>, with the number of the line.</exception>
    public static async Task<EditLines> ReadAsync(TextReader input, CancellationToken cancellationToken)
    {
        var lines = new EditLines();
        for (var number = 1; await input.ReadLineAsync(cancellationToken) is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            lines._edits.Add((number, At(number, () => Parse(line))));
        }

        return lines._edits.Count > 0 ? lines : throw new TlfsException(Reason.BadArgument, "standard input holds no edit");
    }

    /// <summary>Adds all edits to a transaction.</summary>
    public void ApplyTo(Transaction transaction)
    {
        foreach (var (number, apply) in _edits)
        {
            At(number, () =>
            {
                apply(transaction);
                return true;
            });
        }
    }

    private static Action<Transaction> Parse(string line)
    {
        var json = Json.Parse(line);
        if (json.ValueKind is not JsonValueKind.Object) throw Wrong("a line is an object such as {\"op\":\"set\",\"path\":\".title\",\"value\":\"milk\"}");
        var path = Text(json, "path");
        return Text(json, "op") switch
        {
            "set" => Set(Only(json, "value"), path),
            "insert" => Insert(Only(json, "index", "value"), path),
            "move" => Move(Only(json, "from", "to"), path),
            "remove" => Remove(Only(json), path),
            _ => throw Wrong("op is set, insert, move or remove"),
        };
    }

    private static Action<Transaction> Set(JsonElement json, string path)
    {
        var value = Member(json, "value");
        return edit => edit.Set(path, value);
    }

    private static Action<Transaction> Insert(JsonElement json, string path)
    {
        var (index, value) = (Index(json, "index"), Member(json, "value"));
        return edit => edit.Insert(path, index, value);
    }

    private static Action<Transaction> Move(JsonElement json, string path)
    {
        var (from, to) = (Index(json, "from"), Index(json, "to"));
        return edit => edit.Move(path, from, to);
    }

    private static Action<Transaction> Remove(JsonElement json, string path) => edit => edit.Remove(path);

    private static JsonElement Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member) ? member : throw Wrong($"{name} is missing");

    private static string Text(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw Wrong($"{name} is a string");

    private static int Index(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var index) ? index : throw Wrong($"{name} is a number from 0");

    // A member that the op does not take is a mistake, and dropping it would hide it.
    private static JsonElement Only(JsonElement json, params string[] names)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (member.Name is not ("op" or "path") && !names.Contains(member.Name, StringComparer.Ordinal))
                throw Wrong(names.Length == 0 ? "this op takes op and path only" : $"this op takes op, path, {string.Join(", ", names)} only");
        }

        return json;
    }

    private static TlfsException Wrong(string sentence) => new(Reason.BadArgument, sentence);

    private static T At<T>(int number, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (TlfsException e)
        {
            throw new TlfsException(e.Reason, $"line {number}: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // What the JSON reader says of escapes that are not Unicode.
            throw new TlfsException(Reason.BadArgument, $"line {number}: a string has a lone surrogate", e);
        }
    }
}
