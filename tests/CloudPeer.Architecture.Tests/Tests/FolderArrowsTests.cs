using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class FolderArrowsTests
{
    private static readonly SourceText Key = new("src/Tlfs.Core/Crypto/Key.cs", "namespace Tlfs.Core.Crypto; public sealed class Key;");

    [Fact]
    public void Folders_use_each_other_only_along_the_arrows() => Expect.None(FolderArrows.Forbidden(Repository.Code));

    [Fact]
    public void A_namespace_is_its_folder() => Expect.None(FolderArrows.StrayNamespaces(Repository.Code));

    [Theory]
    [InlineData("using Tlfs.Core.Crypto; namespace Tlfs.Core.Ids;")]
    [InlineData("namespace Tlfs.Core.Ids; class A { object b = new Tlfs.Core.Crypto.Key(); }")]
    [InlineData("namespace Tlfs.Core.Ids; class A { object b = new Crypto.Key(); }")]
    [InlineData("namespace Tlfs.Core.Ids; class A { int b = global::Tlfs.Core.Crypto.Key.Size; }")]
    [InlineData("using static Tlfs.Core.Crypto.Key; namespace Tlfs.Core.Ids;")]
    [InlineData("using K = Tlfs.Core.Crypto.Key; namespace Tlfs.Core.Ids;")]
    public void A_forbidden_use_is_found_however_it_is_written(string code) =>
        Expect.One(FolderArrows.Forbidden([Key, new("src/Tlfs.Core/Ids/A.cs", code)]), "Tlfs.Core/Ids must not use Crypto");

    [Theory]
    [InlineData("namespace Tlfs.Core.Ids; class A { Thing Crypto; int b => Crypto.Size; }")]
    [InlineData("namespace Tlfs.Core.Ids; /* Tlfs.Core.Crypto */ class A { }")]
    public void A_member_or_a_comment_of_the_same_name_is_no_use(string code) =>
        Expect.None(FolderArrows.Forbidden([Key, new("src/Tlfs.Core/Ids/A.cs", code)]));

    [Fact]
    public void A_global_using_outside_the_folders_is_found() =>
        Expect.One(FolderArrows.Forbidden([Key, new("src/Tlfs.Core/Usings.cs", "global using Tlfs.Core.Crypto;")]), "must not use Crypto");

    [Fact]
    public void A_folder_that_nobody_placed_is_found() =>
        Expect.One(FolderArrows.Forbidden([new("src/Tlfs.Core/Helpers/A.cs", "namespace Tlfs.Core.Helpers;")]), "Helpers has no place");

    [Fact]
    public void A_stray_namespace_is_found() =>
        Expect.One(FolderArrows.StrayNamespaces([new("src/Tlfs.Core/Ids/A.cs", "namespace Tlfs.Core.Crypto;")]), "should be Tlfs.Core.Ids");
}
