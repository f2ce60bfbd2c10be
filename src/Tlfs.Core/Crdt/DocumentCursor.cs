using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Crdt;

/// <summary>
/// A reference to a place of a document that survives what others do: an element that it points to, or that its place lies in, may be moved, others inserted
/// before it, fields renamed. It has a text form and means the same on all replicas.
/// </summary>
public sealed class DocumentCursor : IEquatable<DocumentCursor>
{
    private const string Prefix = "cur_";

    private readonly StoragePath _path;

    internal DocumentCursor(StoragePath path) => _path = path;

    /// <summary>Reads the text form; false for anything else.</summary>
    public static bool TryParse(string text, out DocumentCursor? cursor)
    {
        cursor = null;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > Prefix.Length + (2 * Limits.PathBytes)) return false;
        if (!Base32.TryDecode(text.AsSpan(Prefix.Length), out var bytes) || !StoragePath.TryDecode(bytes, out var path, out _)) return false;
        cursor = new(path);
        return true;
    }

    /// <inheritdoc />
    public bool Equals(DocumentCursor? other) => other is not null && _path.Equals(other._path);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as DocumentCursor);

    /// <inheritdoc />
    public override int GetHashCode() => _path.GetHashCode();

    /// <summary>The text form. It holds the keys of table rows, so it does not belong in logs.</summary>
    public override string ToString() => Prefix + Base32.Encode(_path.Bytes);

    internal CursorPosition? Locate(SchemaView view, DocumentState state)
    {
        if (view.Find(_path) is not { } node) return null;
        var at = Location.Of(view, state, node, _path.Keys);
        return new(at.Text, at.Rows().All(row => state.Shows(row.Path)));
    }
}

/// <summary>Where a cursor points.</summary>
/// <param name="Path">The view path. An element that was removed has the index that it would have.</param>
/// <param name="Exists">False if a row or element on the way was removed.</param>
public readonly record struct CursorPosition(string Path, bool Exists);
