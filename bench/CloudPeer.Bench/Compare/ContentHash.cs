using System.Text.Json;

namespace CloudPeer.Bench.Compare;

/// <summary>FNV-1a of tasks as JSON, with the length: shows that all engines ended with the same content. No protection against anybody.</summary>
internal static class ContentHash
{
    /// <summary>The hash of an array of tasks.</summary>
    /// <param name="json">The array, as an engine shows it.</param>
    /// <param name="sorted">Sorts the tasks first: where copies appended at the same time, engines differ in the order.</param>
    public static string Of(string json, bool sorted = false)
    {
        using var document = JsonDocument.Parse(json);
        var lines = document.RootElement.EnumerateArray().Select(Line).ToArray();
        if (sorted) Array.Sort(lines, StringComparer.Ordinal);
        var text = $"[{string.Join(',', lines)}]";
        var hash = 0x811c9dc5u;
        foreach (var letter in text) hash = unchecked((hash ^ letter) * 0x01000193);
        return $"{hash:x8}-{text.Length}";
    }

    private static string Line(JsonElement task) =>
        $$"""{"complete":{{(task.GetProperty("complete").GetBoolean() ? "true" : "false")}},"title":{{task.GetProperty("title").GetRawText()}}}""";
}
