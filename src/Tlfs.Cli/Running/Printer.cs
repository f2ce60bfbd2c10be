using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tlfs.Cli.Running;

/// <summary>
/// Writes results to standard output: lines for a person, or one JSON object per line for a program. Text that others wrote is
/// shown without control characters, so that it cannot command the terminal.
/// </summary>
/// <param name="streams">Where to write.</param>
/// <param name="json">Machine output.</param>
/// <param name="quiet">Results only.</param>
internal sealed class Printer(Streams streams, bool json, bool quiet)
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>True for machine output.</summary>
    public bool IsJson => json;

    /// <summary>True if results are all that is wanted.</summary>
    public bool IsQuiet => quiet;

    /// <summary>True if a person reads the results on a terminal.</summary>
    public bool IsTerminal => streams.OutputIsTerminal && !json;

    /// <summary>True if a progress bar may be shown, on standard error.</summary>
    public bool ShowsProgress => streams.ErrorIsTerminal && !json && !quiet;

    /// <summary>Standard error, for prompts and progress.</summary>
    public TextWriter Error => streams.Error;

    /// <summary>One result: an object for a program, or text of one or more lines for a person.</summary>
    /// <param name="members">Writes the members of the object.</param>
    /// <param name="text">The text.</param>
    public void Result(Action<Utf8JsonWriter> members, string text)
    {
        if (json) Object(members);
        else Line(text);
    }

    /// <summary>Results of one kind: an object each for a program; an aligned table for a person, or a sentence that says how to get some.</summary>
    /// <param name="rows">The results.</param>
    /// <param name="members">Writes the members of one's object.</param>
    /// <param name="header">The table's headings.</param>
    /// <param name="cells">One's cells, as many as headings.</param>
    /// <param name="none">What to say when there are none.</param>
    public void Table<T>(IReadOnlyList<T> rows, Action<Utf8JsonWriter, T> members, string[] header, Func<T, string[]> cells, string none)
    {
        if (json)
        {
            foreach (var row in rows) Object(writer => members(writer, row));
        }
        else if (rows.Count == 0)
        {
            Hint(none);
        }
        else
        {
            WriteTable([header, .. rows.Select(row => cells(row).Select(Failure.OneLine).ToArray())]);
        }
    }

    /// <summary>A line for a person.</summary>
    public void Line(string text)
    {
        if (!json) streams.Output.WriteLine(text);
    }

    /// <summary>A line that says what to do next; not for programs, and not for those who want results only.</summary>
    public void Hint(string text)
    {
        if (!json && !quiet) streams.Output.WriteLine(text);
    }

    /// <summary>Text that is a result by itself in either output, such as a document.</summary>
    public void Raw(string text) => streams.Output.WriteLine(text);

    /// <summary>Makes what was written visible now.</summary>
    public void Flush() => streams.Output.Flush();

    /// <summary>Makes what was written visible now.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => streams.Output.FlushAsync(cancellationToken);

    /// <summary>JSON over several lines, for a person.</summary>
    public static string Indented(string text)
    {
        using var document = JsonDocument.Parse(text);
        return Write(document.RootElement.WriteTo, Readable with { Indented = true, NewLine = "\n" });
    }

    private void Object(Action<Utf8JsonWriter> members) => streams.Output.WriteLine(Write(
        writer =>
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        },
        Readable));

    private static string Write(Action<Utf8JsonWriter> write, JsonWriterOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, options)) write(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void WriteTable(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
            streams.Output.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
