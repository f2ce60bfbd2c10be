using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class ArchitectureMapTests
{
    private static readonly SourceText[] Example = [new("src/Tlfs.Core/Ids/DocId.cs", ""), new("src/Tlfs.Core/Limits.cs", "")];

    [Fact]
    public void The_map_mentions_every_room()
    {
        // The map comes with the first complete version.
        if (Repository.TryFind("docs/ARCHITECTURE.md") is { } map)
            Expect.None(ArchitectureMap.Unmentioned(map, Repository.Files));
    }

    [Fact]
    public void A_room_that_the_map_forgot_is_found() =>
        Expect.One(ArchitectureMap.Unmentioned(new("docs/ARCHITECTURE.md", "Tlfs.Core has Paths/"), Example), "Ids/ is not mentioned");

    [Fact]
    public void A_complete_map_is_fine() => Expect.None(ArchitectureMap.Unmentioned(new("docs/ARCHITECTURE.md", "Tlfs.Core has Ids/"), Example));
}
