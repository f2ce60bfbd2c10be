using Tlfs.Core.Lenses;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Lenses.Laws;

public sealed class DecoderFuzz
{
    private static readonly IReadOnlyList<LensList> Lists =
        [Schemas.Tour, Schemas.Everything, .. TlfsPackage.Compile(Schemas.OldSource).Schemas[0].Versions.Select(version => version.List)];

    [Fact]
    public void Lens_lists_survive_hostile_bytes() =>
        Fuzz.Decode<LensList>(1, 100_000, [.. Lists.Select(list => list.Bytes.ToArray())], LensList.TryDecode, list => list.Bytes.ToArray());

    [Fact]
    public void Lenses_survive_hostile_bytes() =>
        Fuzz.Decode<Lens>(2, 100_000, [.. Lists.SelectMany(list => list.Lenses).Select(LensCodec.Encode)], LensCodec.TryDecode, LensCodec.Encode);
}
