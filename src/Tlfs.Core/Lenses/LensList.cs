using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Lenses;

/// <summary>
/// A schema version: the schema's name and the lenses that make it, from the first one on (docs/protocol/operations.md §2.2). Its identity is the
/// hash of its canonical bytes. Every list of this type applies cleanly.
/// </summary>
public sealed class LensList : IEquatable<LensList>
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;

    private LensList(string name, IReadOnlyList<Lens> lenses)
    {
        Name = name;
        Lenses = lenses;
        var items = new List<byte[]>(1 + lenses.Count) { Canonical.Encode(writer => writer.Text(name)) };
        items.AddRange(lenses.Select(LensCodec.Encode));
        _bytes = [.. items.Prepend(Canonical.ArrayHeader(items.Count)).SelectMany(item => item)];
        _ends = new int[lenses.Count];
        var end = Canonical.ArrayHeader(items.Count).Length + items[0].Length;
        for (var i = 0; i < _ends.Length; i++) _ends[i] = end += items[i + 1].Length;
        Hash = new(Hashing.Hash(Label.Schema, _bytes));
    }

    /// <summary>The schema's name.</summary>
    public string Name { get; }

    /// <summary>The lenses in order.</summary>
    public IReadOnlyList<Lens> Lenses { get; }

    /// <summary>The canonical bytes, <c>[name, lens, …]</c>.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary><c>H_schema</c> of <see cref="Bytes"/>.</summary>
    public SchemaHash Hash { get; }

    /// <summary>What this version shows. Made at the first use: the field ids of a list at the limits take some 0.2 s to hash.</summary>
    public SchemaView View => field ??= SchemaView.Of(this);

    /// <summary>
    /// Makes a list. A bad name, a lens that does not apply to what the ones before it made, or a list past
    /// <see cref="Limits.Lenses"/> or <see cref="Limits.LensListBytes"/> is an <see cref="ArgumentException"/>.
    /// </summary>
    public static LensList Of(string name, IEnumerable<Lens> lenses)
    {
        if (!Names.IsValid(name)) throw new ArgumentException("not a name", nameof(name));
        var list = new LensList(name, [.. lenses]);
        if (list.Lenses.Count > Limits.Lenses || list._bytes.Length > Limits.LensListBytes) throw new ArgumentException("too many lenses", nameof(lenses));
        if (list.Misfit() is { } why) throw new ArgumentException(why, nameof(lenses));
        return list;
    }

    /// <summary>Decodes a list from outside and checks that it applies cleanly.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [MaybeNullWhen(false)] out LensList list, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.LensListBytes, reader => Read(reader, bytes), out list, out error);

    /// <summary>The number of lenses at the beginning that both lists share; 0 if their names differ.</summary>
    public int CommonLenses(LensList other)
    {
        if (!string.Equals(Name, other.Name, StringComparison.Ordinal)) return 0;
        var count = 0;
        while (count < Math.Min(Lenses.Count, other.Lenses.Count) && Lenses[count] == other.Lenses[count]) count++;
        return count;
    }

    /// <summary>True if this is the same version as <paramref name="earlier"/> or a later one of the same line.</summary>
    public bool StartsWith(LensList earlier) =>
        string.Equals(Name, earlier.Name, StringComparison.Ordinal) && CommonLenses(earlier) == earlier.Lenses.Count;

    /// <inheritdoc />
    public bool Equals(LensList? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as LensList);

    /// <inheritdoc />
    public override int GetHashCode() => Hash.GetHashCode();

    /// <summary>The id of the field that lens number <paramref name="index"/> adds (docs/protocol/operations.md §2.3).</summary>
    internal FieldId FieldIdAt(int index)
    {
        var start = Canonical.ArrayHeader(Lenses.Count + 1).Length;
        Span<byte> hash = stackalloc byte[Bytes32.Size];
        Hashing.Hash(Label.Field, Canonical.ArrayHeader(index + 2), _bytes.AsSpan(start, _ends[index] - start)).CopyTo(hash);
        return FieldId.From(hash[..FieldId.Size]);
    }

    private static LensList Read(CanonicalReader reader, ReadOnlyMemory<byte> bytes)
    {
        var count = reader.BeginArrayUpTo(Limits.Lenses + 1);
        CanonicalReader.Require(count > 0, "a name expected");
        var name = reader.Text(Limits.NameBytes);
        CanonicalReader.Require(Names.IsValid(name), "not a name");
        var lenses = new List<Lens>();
        while (lenses.Count < count - 1) lenses.Add(LensCodec.Read(reader));
        reader.EndArray();
        var list = new LensList(name, lenses);
        CanonicalReader.Require(bytes.Span.SequenceEqual(list._bytes), "not the canonical bytes of a lens list");
        if (list.Misfit() is { } why) CanonicalReader.Fail(why);
        return list;
    }

    /// <summary>Why the list does not apply, or null. Field ids play no part in that, so none is computed.</summary>
    private string? Misfit()
    {
        var builder = new ViewBuilder();
        for (var i = 0; i < Lenses.Count; i++)
            if (builder.Apply(Lenses[i], default) is { } why) return $"lens {i} does not apply: {why}";
        return null;
    }
}
