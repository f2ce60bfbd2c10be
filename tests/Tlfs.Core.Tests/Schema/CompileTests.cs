using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Schema;

public sealed class CompileTests
{
    [Fact]
    public void The_tour_compiles() => Assert.Equal(15, Schemas.Tour.Lenses.Count);

    [Fact]
    public void A_later_version_starts_with_the_earlier_one()
    {
        var versions = TlfsPackage.Compile(Schemas.OldSource).Schemas[0].Versions;
        Assert.Equal("0.1.0 0.1.1", string.Join(" ", versions.Select(version => version.Version)));
        Assert.True(versions[1].List.StartsWith(versions[0].List));
        Assert.Equal("complete title", string.Join(" ", versions[1].List.View.Root.Fields["tasks"].Element!.Fields.Keys));
    }
}
