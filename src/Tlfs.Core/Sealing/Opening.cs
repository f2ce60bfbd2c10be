using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;

namespace Tlfs.Core.Sealing;

/// <summary>Shows to a part's readers where a grant with a sub-path lets its author write (docs/protocol/statements.md §6.4). Ordered by grant.</summary>
/// <param name="Grant">The grant.</param>
/// <param name="Salt">What keeps its commitment from being guessed.</param>
/// <param name="Path">The path at and under which it lets write.</param>
public sealed record Opening(GrantId Grant, Salt Salt, StoragePath Path) : IComparable<Opening>
{
    /// <summary>Compares grants only.</summary>
    public int CompareTo(Opening? other) => other is null ? 1 : Grant.CompareTo(other.Grant);

    internal void Write(CanonicalWriter writer)
    {
        writer.BeginArray(3);
        writer.Id(Grant);
        writer.Salt(Salt);
        writer.Bytes(Path.Bytes);
        writer.EndArray();
    }

    internal static Opening Read(CanonicalReader reader)
    {
        reader.BeginArray(3);
        var opening = new Opening(reader.Id<GrantId>(), reader.Salt(), ReadPath(reader));
        reader.EndArray();
        return opening;
    }

    internal static StoragePath ReadPath(CanonicalReader reader)
    {
        if (!StoragePath.TryDecode(reader.Bytes(Limits.PathBytes), out var path, out var error)) CanonicalReader.Fail(error.Detail, error.Reason);
        return path;
    }
}
