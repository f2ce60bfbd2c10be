using System.Globalization;
using System.Text.Json;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;

namespace Tlfs.Client.Typed;

/// <summary>Something that happened to an array, or inside one of its elements.</summary>
/// <param name="Kind">What happened to the element; for what happened inside it, <see cref="ChangeKind.Update"/>.</param>
/// <param name="Index">Where the element is now; of one that was removed, where it was.</param>
/// <param name="From">Where an element that moved was before; else null.</param>
/// <param name="Item">The element that came or went, or the new value of one that is a register or flag; else the type's default.</param>
/// <param name="Below">The path inside the element, such as <c>.title</c>; empty for the element itself.</param>
/// <param name="Author">Who did it, where one envelope did.</param>
/// <typeparam name="T">An element's value.</typeparam>
public sealed record ArrayChange<T>(ChangeKind Kind, int Index, int? From, T? Item, string Below, PeerId? Author);

/// <summary>Something that happened to a table, or inside one of its rows.</summary>
/// <param name="Kind">What happened to the row; for what happened inside it, <see cref="ChangeKind.Update"/>.</param>
/// <param name="Key">The row's key.</param>
/// <param name="Item">The row that came or went, or the new value of one that is a register or flag; else the type's default.</param>
/// <param name="Below">The path inside the row, such as <c>.age</c>; empty for the row itself.</param>
/// <param name="Author">Who did it, where one envelope did.</param>
/// <typeparam name="TKey">A row's key.</typeparam>
/// <typeparam name="TValue">A row's value.</typeparam>
public sealed record TableChange<TKey, TValue>(ChangeKind Kind, TKey Key, TValue? Item, string Below, PeerId? Author);

/// <summary>Reads untyped changes.</summary>
internal static class TypedChange
{
    public static ArrayChange<T>? Of<T>(DocumentChange change, string path, Shape<T> shape)
    {
        if (Split(change.Path, path) is not var (key, below)) return null;
        int? from = below.Length == 0 && change.From is { } old && Split(old, path) is var (before, _) ? Index(before) : null;
        return new(Kind(change, below), Index(key), from, Item(change, below, shape), below, change.Author);
    }

    public static TableChange<TKey, TValue>? Of<TKey, TValue>(DocumentChange change, string path, TableKey<TKey> keys, Shape<TValue> shape)
        where TKey : notnull
    {
        if (Split(change.Path, path) is not var (key, below)) return null;
        var name = key.StartsWith('"') ? JsonElement.Parse(key).GetString()! : key;
        return new(Kind(change, below), keys.Parse(name), Item(change, below, shape), below, change.Author);
    }

    /// <summary>The key in the first brackets after the path, and what follows them; null for what is not below the path, such as a grant.</summary>
    public static (string Key, string Below)? Split(string changed, string path)
    {
        if (!changed.StartsWith(path + "[", StringComparison.Ordinal)) return null;
        var start = path.Length + 1;
        var end = start;
        for (var quoted = false; quoted || changed[end] != ']'; end++)
        {
            if (quoted && changed[end] == '\\') end++;
            else if (changed[end] == '"') quoted = !quoted;
        }

        return (changed[start..end], changed[(end + 1)..]);
    }

    private static ChangeKind Kind(DocumentChange change, string below) => below.Length == 0 ? change.Kind : ChangeKind.Update;

    private static T? Item<T>(DocumentChange change, string below, Shape<T> shape) =>
        below.Length == 0 && change.Value is { } value ? shape.Read(JsonElement.Parse(value)) : default;

    private static int Index(string key) => int.Parse(key, CultureInfo.InvariantCulture);
}
